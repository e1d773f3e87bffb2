@echo off
rem Loads the storage drivers into Setup, which in newer releases does not take those that only the
rem answer file names.
for %%d in (viostor vioscsi) do if exist "%~dp0drivers\%%d\%%d.inf" drvload.exe "%~dp0drivers\%%d\%%d.inf"
exit /b 0
