# Sets one value of the registry; variables: key, name, kind, value.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$place = "Registry::$key"
if (-not (Test-Path -Path $place)) {
    $null = New-Item -Path $place -Force
}
$content = $value
if ($kind -eq 'MultiString') {
    $content = [string[]]($value -split "`n")
}
$null = New-ItemProperty -Path $place -Name $name -PropertyType $kind -Value $content -Force
ConvertTo-Json -InputObject @{ restart = $false; said = 'set' } -Compress
