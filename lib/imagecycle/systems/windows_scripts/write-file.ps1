# Writes a file and its folders; variables: path, and content in Base64.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$null = New-Item -Path (Split-Path -Parent -Path $path) -ItemType 'Directory' -Force
[IO.File]::WriteAllBytes($path, [Convert]::FromBase64String($content))
ConvertTo-Json -InputObject @{ restart = $false; said = 'written' } -Compress
