# User data of a verification: shows that it ran, and tells the console which certificate is ours.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$place = 'HKLM:\SOFTWARE\imagecycle'
if (-not (Test-Path -Path $place)) {
    $null = New-Item -Path $place
}
$runs = [int](Get-Item -Path $place).GetValue('Runs', 0) + 1
$null = New-ItemProperty -Path $place -Name 'Runs' -Value $runs -Force
$null = New-ItemProperty -Path $place -Name 'Marker' -Value $marker -Force
$digits = ''
foreach ($listener in Get-ChildItem -Path 'WSMan:\localhost\Listener') {
    if ($listener.Keys -contains 'Transport=HTTPS') {
        $entry = Get-Item -Path "WSMan:\localhost\Listener\$($listener.Name)\CertificateThumbprint"
        $certificate = Get-Item -Path "Cert:\LocalMachine\My\$($entry.Value -replace ' ', '')"
        $digest = [Security.Cryptography.SHA256]::Create().ComputeHash($certificate.RawData)
        $digits = [BitConverter]::ToString($digest).Replace('-', '')
    }
}
$line = 'imagecycle: winrm has no listener'
if ($digits -ne '') {
    $line = "imagecycle: winrm sha256 $digits"
}
# cloudbase-init keeps the port to itself as long as it runs, and it waits for this script
$write = @'
for ($try = 0; $try -lt 1800; $try++) {
    try {
        $port = New-Object -TypeName System.IO.Ports.SerialPort -ArgumentList 'COM1', 115200
        $port.Open()
        $port.WriteLine('LINE')
        $port.Close()
        break
    } catch {
        Start-Sleep -Seconds 1
    }
}
'@
$bytes = [Text.Encoding]::Unicode.GetBytes($write.Replace('LINE', $line))
$words = '-NoLogo', '-NoProfile', '-NonInteractive', '-EncodedCommand'
$words += [Convert]::ToBase64String($bytes)
Start-Process -FilePath 'powershell.exe' -ArgumentList $words -WindowStyle 'Hidden'
