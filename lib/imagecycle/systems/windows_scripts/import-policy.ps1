# Applies a security template, or a backup of group policies with LGPO; variables: path, tool.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$work = Join-Path -Path $env:TEMP -ChildPath 'imagecycle-policy'
$null = New-Item -Path $work -ItemType 'Directory' -Force
if ($path -like '*.inf') {
    $database = Join-Path -Path $work -ChildPath 'policy.sdb'
    secedit.exe /configure /db $database /cfg $path /overwrite /quiet
} else {
    Add-Type -AssemblyName 'System.IO.Compression.FileSystem'
    [IO.Compression.ZipFile]::ExtractToDirectory($path, $work)
    & $tool /g $work /q
}
$code = $LASTEXITCODE
Remove-Item -Path $work -Recurse -Force
if ($code -ne 0) {
    throw "the policy cannot be applied: code $code"
}
gpupdate.exe /force /wait:600
ConvertTo-Json -InputObject @{ restart = $false; said = 'applied' } -Compress
