@echo off
rem Runs the numbered tasks of an image, each once on a server; cloudbase-init runs this script.
rem
rem A task ends with 0 when it is done, with 1001 when it is done and wants a restart, with 1002 to
rem run again at the next start, with 1003 for both. Anything else is a failure, and the tasks after
rem it run all the same. What came of each stands in the registry below the id of this installation:
rem a server from a snapshot does not run them again, one from a generalised image does.
setlocal EnableExtensions
set "folder=%~1"
if "%folder%"=="" set "folder=%ProgramData%\imagecycle\tasks"
set "machine=unknown"
for /f "tokens=3" %%g in ('reg.exe query HKLM\SOFTWARE\Microsoft\Cryptography /v MachineGuid') do set "machine=%%g"
set "results=HKLM\SOFTWARE\imagecycle\Tasks\%machine%"
set "again=0"
set "restart=0"
if not exist "%folder%\*" exit /b 0
for /f "delims=" %%t in ('dir /b /a-d /on "%folder%"') do call :task "%%t"
if "%restart%"=="1" exit /b 1003
if "%again%"=="1" exit /b 1002
exit /b 0

:task
if "%restart%"=="1" exit /b 0
set "result="
for /f "tokens=3" %%r in ('reg.exe query "%results%" /v "%~1" 2^>nul') do set "result=%%r"
if "%result%"=="done" exit /b 0
if "%result%"=="failed" exit /b 0
if /i "%~x1"==".ps1" goto script
cmd.exe /d /c ""%folder%\%~1""
set "code=%errorlevel%"
goto ended
:script
powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "%folder%\%~1"
set "code=%errorlevel%"
:ended
set "result=failed"
if "%code%"=="0" set "result=done"
if "%code%"=="1001" set "result=done"
if "%code%"=="1002" set "result=again"
if "%code%"=="1003" set "result=again"
if "%code%"=="1001" set "restart=1"
if "%code%"=="1003" set "restart=1"
if "%code%"=="1002" set "again=1"
reg.exe add "%results%" /v "%~1" /d %result% /f >nul
reg.exe add "%results%" /v "%~1 (exit code)" /d %code% /f >nul
echo imagecycle: task %~1: %result% with exit code %code%
exit /b 0
