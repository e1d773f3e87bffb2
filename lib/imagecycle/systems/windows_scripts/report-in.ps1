# User data of a verification: shows that it ran, and tells the console which certificate is ours.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$place = 'HKLM:\SOFTWARE\imagecycle'
$null = New-Item -Path $place -Force
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
$port = New-Object -TypeName System.IO.Ports.SerialPort -ArgumentList 'COM1', 115200
for ($try = 0; $try -lt 60; $try++) {
    try {
        $port.Open()
        $port.WriteLine($line)
        $port.Close()
        break
    } catch [System.UnauthorizedAccessException] {
        Start-Sleep -Seconds 1
    }
}
