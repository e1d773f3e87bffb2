# Runs a script as the system, as Windows Update wants; variables: script (Base64), name, seconds.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$own = Join-Path -Path $env:ProgramData -ChildPath 'imagecycle\build'
$file = Join-Path -Path $own -ChildPath "$name.ps1"
$output = Join-Path -Path $own -ChildPath "$name.out"
$null = New-Item -Path $own -ItemType 'Directory' -Force
Remove-Item -Path $output -Force -ErrorAction 'SilentlyContinue'
[IO.File]::WriteAllBytes($file, [Convert]::FromBase64String($script))
$words = '-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File'
$batch = Join-Path -Path $own -ChildPath "$name.cmd"
Set-Content -Path $batch -Value @(
    "powershell.exe $words $file >$output.part 2>&1"
    "move $output.part $output"
)
schtasks.exe /create /tn "imagecycle-$name" /ru 'SYSTEM' /sc 'once' /st '00:00' /tr $batch /f
if ($LASTEXITCODE -ne 0) {
    throw "the task cannot be registered: code $LASTEXITCODE"
}
schtasks.exe /run /tn "imagecycle-$name"
$left = [int]$seconds
while ($left -gt 0 -and -not (Test-Path -Path $output)) {
    Start-Sleep -Seconds 2
    $left -= 2
}
schtasks.exe /delete /tn "imagecycle-$name" /f
if (-not (Test-Path -Path $output)) {
    throw "it has not ended within $seconds seconds"
}
Get-Content -Path $output
Remove-Item -Path $file, $batch, $output -Force
