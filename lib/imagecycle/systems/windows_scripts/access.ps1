# Lets the builder in at every start: its medium has the password, the console gets the certificate.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$own = Join-Path -Path $env:ProgramData -ChildPath 'imagecycle\build'

function Write-Console {
    param ([string]$Text)
    $port = New-Object -TypeName System.IO.Ports.SerialPort -ArgumentList 'COM1', 115200
    $port.Open()
    $port.WriteLine($Text)
    $port.Close()
}

try {
    $medium = $null
    for ($try = 0; $null -eq $medium -and $try -lt 60; $try++) {
        Start-Sleep -Seconds 1
        $medium = Get-CimInstance -ClassName Win32_Volume -Filter "Label = 'IMAGECYCLE'"
    }
    if ($null -eq $medium) {
        throw 'the medium with the password of the build is not there'
    }
    $file = Join-Path -Path $medium.DriveLetter -ChildPath 'access.json'
    $access = Get-Content -Path $file -Raw | ConvertFrom-Json
    $account = [ADSI]"WinNT://./$($access.account),user"
    $account.SetPassword($access.password)
    $thumbprint = Get-Content -Path (Join-Path -Path $own -ChildPath 'thumbprint')
    $certificate = Get-Item -Path "Cert:\LocalMachine\My\$thumbprint"
    $digest = [Security.Cryptography.SHA256]::Create().ComputeHash($certificate.RawData)
    $digits = [BitConverter]::ToString($digest).Replace('-', '')
    Write-Console -Text "imagecycle: winrm sha256 $digits"
} catch {
    Write-Console -Text "installer: FAILED: $($_.Exception.Message)"
    exit 1
}
