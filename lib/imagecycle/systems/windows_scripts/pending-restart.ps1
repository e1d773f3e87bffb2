# Says what in this system waits for a restart.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$current = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion'
$session = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager'
$reasons = @()
if (Test-Path -Path "$current\Component Based Servicing\RebootPending") {
    $reasons += 'servicing'
}
if (Test-Path -Path "$current\WindowsUpdate\Auto Update\RebootRequired") {
    $reasons += 'updates'
}
$names = (Get-Item -Path $session).Property
if ($names -contains 'PendingFileRenameOperations') {
    $reasons += 'files to rename'
}
ConvertTo-Json -InputObject @{ reasons = $reasons } -Compress
