# Mends what would stop sysprep where that can be done, and says what remains.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$problems = @()
$removed = @()
$license = Get-CimInstance -ClassName SoftwareLicensingService
if ($license.RemainingWindowsReArmCount -lt 1) {
    $problems += 'rearm: Windows cannot be rearmed any more'
}
if ($null -ne (Get-Command -Name 'Get-AppxProvisionedPackage' -ErrorAction 'SilentlyContinue')) {
    $kept = Get-AppxProvisionedPackage -Online | ForEach-Object -Process { $_.DisplayName }
    foreach ($package in Get-AppxPackage -AllUsers) {
        $stays = $package.NonRemovable -or $package.IsFramework -or $package.Name -in $kept
        if (-not $stays) {
            Remove-AppxPackage -Package $package.PackageFullName -AllUsers
            $removed += $package.Name
        }
    }
}
$volume = @{
    Namespace = 'root\cimv2\Security\MicrosoftVolumeEncryption'
    ClassName = 'Win32_EncryptableVolume'
    ErrorAction = 'SilentlyContinue'
}
foreach ($drive in Get-CimInstance @volume) {
    if ($drive.ProtectionStatus -ne 0 -or $drive.ConversionStatus -notin 0, $null) {
        $problems += "encryption: the volume $($drive.DriveLetter) is encrypted"
    }
}
$reserves = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\ReserveManager'
if (Test-Path -Path $reserves) {
    $entry = Get-Item -Path $reserves
    if ($entry.Property -contains 'ActiveScenario' -and $entry.GetValue('ActiveScenario') -ne 0) {
        $problems += 'reserves: reserved storage is in use'
    }
}
ConvertTo-Json -InputObject @{ problems = $problems; removed = $removed } -Compress
