# Lets cloudbase-init wait for the end of Setup, and forget that it has run.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
Stop-Service -Name 'cloudbase-init' -Force
sc.exe config 'cloudbase-init' start= demand
if ($LASTEXITCODE -ne 0) {
    throw "the service cloudbase-init cannot be told when to start: code $LASTEXITCODE"
}
$memory = 'HKLM:\SOFTWARE\Cloudbase Solutions'
Remove-Item -Path $memory -Recurse -Force -ErrorAction 'SilentlyContinue'
ConvertTo-Json -InputObject @{ restart = $false; said = 'waits for Setup' } -Compress
