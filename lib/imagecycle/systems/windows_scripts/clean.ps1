# Takes away what no instance needs: superseded components, temporary files, caches and logs.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$windows = $env:SystemRoot
$places = @(
    "$windows\Temp\*"
    "$windows\SoftwareDistribution\Download\*"
    "$windows\Logs\CBS\*"
    "$windows\Logs\DISM\*"
    "$windows\Panther\*.xml"
    "$windows\Panther\Unattend\*"
    "$windows\System32\Sysprep\unattend.xml"
    "$windows\Prefetch\*"
    "$windows\Installer\`$PatchCache`$\*"
    "$env:SystemDrive\Users\*\AppData\Local\Temp\*"
    "$env:SystemDrive\Windows.old"
    "$env:SystemDrive\unattend.xml"
    "$env:SystemDrive\autounattend.xml"
)
dism.exe /online /cleanup-image /startcomponentcleanup /resetbase /quiet
$code = $LASTEXITCODE
if ($code -notin 0, 3010) {
    throw "the component store cannot be cleaned: code $code"
}
Stop-Service -Name 'wuauserv' -Force -ErrorAction 'SilentlyContinue'
Remove-Item -Path $places -Recurse -Force -ErrorAction 'SilentlyContinue'
foreach ($log in wevtutil.exe el) {
    cmd.exe /d /c "wevtutil.exe cl `"$log`" 2>nul"
}
Optimize-Volume -DriveLetter 'C' -ReTrim
ConvertTo-Json -InputObject @{ restart = $false; said = 'cleaned' } -Compress
