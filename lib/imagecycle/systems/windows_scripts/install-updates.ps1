# Installs the updates that a server offers, as the system; variable: server.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$policy = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate'
if ($server -ne 'vendor') {
    $null = New-Item -Path "$policy\AU" -Force
    $null = New-ItemProperty -Path $policy -Name 'WUServer' -Value $server -Force
    $null = New-ItemProperty -Path $policy -Name 'WUStatusServer' -Value $server -Force
    $null = New-ItemProperty -Path "$policy\AU" -Name 'UseWUServer' -Value 1 -Force
}
$session = New-Object -ComObject 'Microsoft.Update.Session'
$found = $session.CreateUpdateSearcher().Search("IsInstalled=0 and Type='Software' and IsHidden=0")
$wanted = New-Object -ComObject 'Microsoft.Update.UpdateColl'
foreach ($update in $found.Updates) {
    if (-not $update.InstallationBehavior.CanRequestUserInput) {
        if (-not $update.EulaAccepted) {
            $update.AcceptEula()
        }
        $null = $wanted.Add($update)
    }
}
$restart = $false
if ($wanted.Count -gt 0) {
    $downloader = $session.CreateUpdateDownloader()
    $downloader.Updates = $wanted
    $null = $downloader.Download()
    $installer = $session.CreateUpdateInstaller()
    $installer.Updates = $wanted
    $result = $installer.Install()
    if ($result.ResultCode -notin 2, 3) {
        throw ('updates cannot be installed: 0x{0:X8}' -f $result.HResult)
    }
    $restart = $result.RebootRequired
} elseif ($server -ne 'vendor') {
    Remove-Item -Path $policy -Recurse -Force
}
$answer = @{
    restart = $restart
    again = $wanted.Count -gt 0
    said = "$($wanted.Count) updates"
}
ConvertTo-Json -InputObject $answer -Compress
