# Says what is installed: the patch level, hotfixes, and programs.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$version = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$places = @(
    'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*'
    'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*'
)
$programs = @()
foreach ($entry in Get-ItemProperty -Path $places -ErrorAction 'SilentlyContinue') {
    $names = $entry.PSObject.Properties | ForEach-Object -Process { $_.Name }
    if ($names -contains 'DisplayName' -and $names -contains 'DisplayVersion') {
        $programs += @{ name = $entry.DisplayName; version = $entry.DisplayVersion }
    }
}
$answer = @{
    patchlevel = "$($version.CurrentBuild).$($version.UBR)"
    edition = $version.EditionID
    hotfixes = @(Get-HotFix | ForEach-Object -Process { $_.HotFixID })
    programs = $programs
}
ConvertTo-Json -InputObject $answer -Compress -Depth 4
