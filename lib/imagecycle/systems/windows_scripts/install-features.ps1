# Adds roles and features; variables: names, parted by spaces, and client.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$wanted = $names -split ' '
$restart = $false
if ($client -eq 'true') {
    foreach ($name in $wanted) {
        $done = Enable-WindowsOptionalFeature -Online -FeatureName $name -All -NoRestart
        $restart = $restart -or $done.RestartNeeded
    }
} else {
    $unknown = @($wanted | Where-Object -FilterScript { $null -eq (Get-WindowsFeature -Name $_) })
    if ($unknown.Count -gt 0) {
        throw "this system knows no feature $($unknown -join ', ')"
    }
    $done = Install-WindowsFeature -Name $wanted -IncludeManagementTools
    if (-not $done.Success) {
        throw "the features cannot be added: $($done.ExitCode)"
    }
    $restart = [string]$done.RestartNeeded -eq 'Yes'
}
ConvertTo-Json -InputObject @{ restart = $restart; said = "$($wanted.Count) features" } -Compress
