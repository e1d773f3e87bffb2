# Starts the last script of the build as the system; variable: drive, of the build's medium.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$own = Join-Path -Path $env:ProgramData -ChildPath 'imagecycle\build'
$script = Join-Path -Path $own -ChildPath 'seal.ps1'
Copy-Item -Path "$drive\seal.ps1" -Destination $script
$words = '-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File'
$line = "powershell.exe $words $script"
schtasks.exe /create /tn 'imagecycle-seal' /ru 'SYSTEM' /sc 'once' /st '00:00' /tr $line /f
schtasks.exe /run /tn 'imagecycle-seal'
if ($LASTEXITCODE -ne 0) {
    throw "the last script cannot be started: code $LASTEXITCODE"
}
ConvertTo-Json -InputObject @{ restart = $false; said = 'started' } -Compress
