# Opens the way for customisation at the only logon of an installation, and powers off.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$medium = Split-Path -Parent -Path $MyInvocation.MyCommand.Path
$own = Join-Path -Path $env:ProgramData -ChildPath 'imagecycle\build'
$policy = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
$logon = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon'

function Write-Console {
    param ([string]$Text)
    $port = New-Object -TypeName System.IO.Ports.SerialPort -ArgumentList 'COM1', 115200
    $port.Open()
    $port.WriteLine($Text)
    $port.Close()
}

function Install-Driver {
    param ([string]$Folder)
    $names = 'TrustedPublisher', 'LocalMachine'
    $kind = 'System.Security.Cryptography.X509Certificates.X509Store'
    $store = New-Object -TypeName $kind -ArgumentList $names
    $store.Open('ReadWrite')
    foreach ($file in Get-ChildItem -Path $Folder -Filter '*.cat' -Recurse) {
        $signer = (Get-AuthenticodeSignature -FilePath $file.FullName).SignerCertificate
        if ($null -ne $signer) {
            $store.Add($signer)
        }
    }
    $store.Close()
    foreach ($file in Get-ChildItem -Path $Folder -Filter '*.inf' -Recurse) {
        pnputil.exe -i -a $file.FullName
        if ($LASTEXITCODE -notin 0, 259, 3010) {
            throw "the driver $($file.Name) cannot be installed: code $LASTEXITCODE"
        }
    }
}

function Enable-Access {
    $here = 'Cert:\LocalMachine\My'
    $made = New-SelfSignedCertificate -DnsName $env:COMPUTERNAME -CertStoreLocation $here
    Set-Content -Path (Join-Path -Path $own -ChildPath 'thumbprint') -Value $made.Thumbprint
    foreach ($network in Get-NetConnectionProfile) {
        $index = $network.InterfaceIndex
        Set-NetConnectionProfile -InterfaceIndex $index -NetworkCategory 'Private'
    }
    Set-Service -Name 'WinRM' -StartupType 'Automatic'
    Start-Service -Name 'WinRM'
    $listener = @{
        Path = 'WSMan:\localhost\Listener'
        Transport = 'HTTPS'
        Address = '*'
        CertificateThumbPrint = $made.Thumbprint
    }
    $null = New-Item @listener -Force
    Set-Item -Path 'WSMan:\localhost\Service\AllowUnencrypted' -Value $false
    Set-Item -Path 'WSMan:\localhost\Shell\MaxMemoryPerShellMB' -Value 2048
    $rule = @{
        Name = 'imagecycle-build'
        DisplayName = 'imagecycle build'
        Direction = 'Inbound'
        Protocol = 'TCP'
        LocalPort = 5986
        Action = 'Allow'
    }
    $null = New-NetFirewallRule @rule
    $null = New-ItemProperty -Path $policy -Name 'LocalAccountTokenFilterPolicy' -Value 1 -Force
}

function Register-Access {
    $script = Join-Path -Path $own -ChildPath 'access.ps1'
    Copy-Item -Path (Join-Path -Path $medium -ChildPath 'access.ps1') -Destination $script
    $words = '-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File'
    $run = "powershell.exe $words $script"
    schtasks.exe /create /tn 'imagecycle-build' /ru 'SYSTEM' /sc 'onstart' /tr $run /f
    if ($LASTEXITCODE -ne 0) {
        throw "the task for customisation cannot be registered: code $LASTEXITCODE"
    }
}

try {
    $null = New-Item -Path $own -ItemType 'Directory' -Force
    Install-Driver -Folder (Join-Path -Path $medium -ChildPath 'drivers')
    Enable-Access
    Register-Access
    Set-ItemProperty -Path $logon -Name 'AutoAdminLogon' -Value '0'
    Remove-ItemProperty -Path $logon -Name 'DefaultPassword' -ErrorAction 'SilentlyContinue'
    powercfg.exe /hibernate off
    Write-Console -Text 'installer: 5/5 ready to be customised'
    shutdown.exe /s /f /t 5
} catch {
    Write-Console -Text "installer: FAILED: $($_.Exception.Message)"
    exit 1
}
