# Installs a program from a file; variables: path, arguments, codes.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$log = Join-Path -Path $env:TEMP -ChildPath 'imagecycle-install.log'
$run = @{ FilePath = $path; PassThru = $true; Wait = $true }
if ($path -like '*.msi') {
    $run.FilePath = 'msiexec.exe'
    $run.ArgumentList = "/i `"$path`" /quiet /norestart /log `"$log`" $arguments"
} elseif ($arguments -ne '') {
    $run.ArgumentList = $arguments
}
$code = (Start-Process @run).ExitCode
if ($code -notin [int[]]($codes -split ' ')) {
    $last = ''
    if (Test-Path -Path $log) {
        $last = (Get-Content -Path $log -Tail 5) -join ' | '
    }
    throw "the installer has ended with code ${code}: $last"
}
if (Test-Path -Path $log) {
    Remove-Item -Path $log -Force
}
ConvertTo-Json -InputObject @{ restart = $code -in 3010, 1641; said = "code $code" } -Compress
