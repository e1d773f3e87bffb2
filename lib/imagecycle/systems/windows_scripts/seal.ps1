# Takes the builder's way in away, and generalises the system with sysprep, which powers it off.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$own = Join-Path -Path $env:ProgramData -ChildPath 'imagecycle\build'
$answers = Join-Path -Path $env:ProgramData -ChildPath 'imagecycle\Unattend.xml'
$logs = Join-Path -Path $env:SystemRoot -ChildPath 'System32\Sysprep\Panther'
$program = Join-Path -Path $env:SystemRoot -ChildPath 'System32\Sysprep\sysprep.exe'
$policy = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'

function Write-Console {
    param ([string]$Text)
    $port = New-Object -TypeName System.IO.Ports.SerialPort -ArgumentList 'COM1', 115200
    $port.Open()
    $port.WriteLine($Text)
    $port.Close()
}

function Remove-Access {
    Get-ChildItem -Path 'WSMan:\localhost\Listener' |
        Where-Object -FilterScript { $_.Keys -contains 'Transport=HTTPS' } |
        Remove-Item -Recurse -Force
    Remove-NetFirewallRule -Name 'imagecycle-build'
    $thumbprint = Get-Content -Path (Join-Path -Path $own -ChildPath 'thumbprint')
    Remove-Item -Path "Cert:\LocalMachine\My\$thumbprint" -Force
    Remove-ItemProperty -Path $policy -Name 'LocalAccountTokenFilterPolicy'
    $accounts = Get-CimInstance -ClassName Win32_UserAccount -Filter "Name = 'imagecycle'"
    foreach ($account in $accounts) {
        $folders = Get-CimInstance -ClassName Win32_UserProfile -Filter "SID = '$($account.SID)'"
        $folders | Remove-CimInstance
        net.exe user 'imagecycle' /delete
    }
    foreach ($task in 'imagecycle-build', 'imagecycle-seal') {
        schtasks.exe /delete /tn $task /f
    }
    Remove-Item -Path $own -Recurse -Force
}

function Get-Failure {
    $lines = @()
    foreach ($name in 'setuperr.log', 'setupact.log') {
        $file = Join-Path -Path $logs -ChildPath $name
        if (Test-Path -Path $file) {
            $found = Select-String -Path $file -Pattern ', (Error|Warning)\s' |
                Select-Object -Last 12
            $lines += @($found | ForEach-Object -Process { $_.Line })
        }
    }
    $lines
}

try {
    Start-Sleep -Seconds 10
    Remove-Access
    $words = '/generalize', '/oobe', '/quit', '/quiet', "/unattend:$answers"
    $run = Start-Process -FilePath $program -ArgumentList $words -PassThru
    if (-not $run.WaitForExit(3600000)) {
        throw 'sysprep has not ended within an hour'
    }
    $setup = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State'
    $state = (Get-ItemProperty -Path $setup).ImageState
    if ($state -ne 'IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE') {
        Get-Failure | ForEach-Object -Process { Write-Console -Text "sysprep: $_" }
        throw "sysprep has left the image in the state $state"
    }
    Write-Console -Text 'installer: sealed'
    shutdown.exe /s /f /t 5
} catch {
    Write-Console -Text "installer: FAILED: $($_.Exception.Message)"
    exit 1
}
