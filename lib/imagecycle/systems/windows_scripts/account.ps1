# Says what a verification wants to know of an instance, as JSON, when it has come to rest.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$system = 'HKLM:\SYSTEM\CurrentControlSet'
$software = 'HKLM:\SOFTWARE\Microsoft'
$windows = "$software\Windows NT\CurrentVersion"
$current = "$software\Windows\CurrentVersion"
$policies = "$current\Policies\System"
$local = @{ ClassName = 'Win32_UserAccount'; Filter = 'LocalAccount = TRUE' }
$answer = @{}

function Get-Value {
    param ([string]$Path, [string]$Name)
    if (Test-Path -Path $Path) {
        $entry = Get-Item -Path $Path
        if ($entry.Property -contains $Name) {
            return $entry.GetValue($Name)
        }
    }
    return $null
}

function Add-Answer {
    param ([string]$Name, [scriptblock]$Block)
    try {
        $found = & $Block
        $answer[$Name] = $found
    } catch {
        $answer["$Name failed"] = $_.Exception.Message
    }
}

for ($left = [int]$seconds; $left -gt 0; $left -= 2) {
    $service = Get-Service -Name 'cloudbase-init' -ErrorAction 'SilentlyContinue'
    if ($null -eq $service -or $service.Status -eq 'Stopped') {
        break
    }
    Start-Sleep -Seconds 2
}
Add-Answer -Name 'name' -Block { $env:COMPUTERNAME }
Add-Answer -Name 'marker' -Block { Get-Value -Path 'HKLM:\SOFTWARE\imagecycle' -Name 'Marker' }
Add-Answer -Name 'runs' -Block { Get-Value -Path 'HKLM:\SOFTWARE\imagecycle' -Name 'Runs' }
Add-Answer -Name 'tasks' -Block {
    $found = @{}
    $place = 'HKLM:\SOFTWARE\imagecycle\Tasks'
    if (Test-Path -Path $place) {
        $entry = Get-Item -Path $place
        foreach ($task in $entry.Property) {
            $found[$task] = [string]$entry.GetValue($task)
        }
    }
    $found
}
Add-Answer -Name 'release' -Block {
    $entry = Get-ItemProperty -Path $windows
    @{ build = $entry.CurrentBuild; edition = $entry.EditionID; kind = $entry.InstallationType }
}
Add-Answer -Name 'setup' -Block {
    @{
        image_state = Get-Value -Path "$current\Setup\State" -Name 'ImageState'
        in_progress = Get-Value -Path 'HKLM:\SYSTEM\Setup' -Name 'SystemSetupInProgress'
        clone_tag = [string](Get-Value -Path 'HKLM:\SYSTEM\Setup' -Name 'CloneTag')
    }
}
Add-Answer -Name 'firmware' -Block {
    $version = ''
    $chip = @{ Namespace = 'root\cimv2\Security\MicrosoftTpm'; ClassName = 'Win32_Tpm' }
    foreach ($one in Get-CimInstance @chip -ErrorAction 'Ignore') {
        $version = ([string]$one.SpecVersion).Split(',')[0]
    }
    $state = "$system\Control\SecureBoot\State"
    @{
        secure_boot = Get-Value -Path $state -Name 'UEFISecureBootEnabled'
        tpm = $version
    }
}
Add-Answer -Name 'accounts' -Block {
    $found = @()
    foreach ($account in Get-CimInstance @local) {
        $entry = [ADSI]"WinNT://./$($account.Name),user"
        $found += @{
            name = $account.Name
            sid = $account.SID
            disabled = $account.Disabled
            expired = [bool]$entry.PasswordExpired.Value
            password_required = $account.PasswordRequired
        }
    }
    , $found
}
Add-Answer -Name 'administrators' -Block {
    $group = Get-CimInstance -ClassName Win32_Group -Filter "SID = 'S-1-5-32-544'"
    $members = Get-CimAssociatedInstance -InputObject $group -ResultClassName Win32_UserAccount
    $found = @()
    foreach ($member in $members) {
        $found += $member.Name
    }
    , $found
}
Add-Answer -Name 'keys' -Block {
    $found = @()
    foreach ($file in Get-ChildItem -Path "$env:SystemDrive\Users\*\.ssh\authorized_keys") {
        $found += Get-Content -Path $file.FullName
    }
    , $found
}
Add-Answer -Name 'winlogon' -Block {
    @{
        auto = [string](Get-Value -Path "$windows\Winlogon" -Name 'AutoAdminLogon')
        password = $null -ne (Get-Value -Path "$windows\Winlogon" -Name 'DefaultPassword')
    }
}
Add-Answer -Name 'answer_files' -Block {
    $places = @(
        "$env:SystemRoot\Panther\*.xml"
        "$env:SystemRoot\Panther\Unattend\*.xml"
        "$env:SystemRoot\System32\Sysprep\*.xml"
        "$env:SystemDrive\*unattend.xml"
    )
    $found = @()
    foreach ($file in Get-ChildItem -Path $places -ErrorAction 'SilentlyContinue') {
        $content = Get-Content -Path $file.FullName -Raw
        $password = $content -match 'Password>\s*<Value>(?!\*SENSITIVE)[^<]'
        if ($password -or $content -match '<Key>\w{5}-') {
            $found += $file.FullName
        }
    }
    , $found
}
Add-Answer -Name 'leftovers' -Block {
    $found = @()
    foreach ($path in "$env:ProgramData\imagecycle\build", "$env:SystemDrive\Windows.old") {
        if (Test-Path -Path $path) {
            $found += $path
        }
    }
    foreach ($task in Get-ScheduledTask -TaskName 'imagecycle-*' -ErrorAction 'SilentlyContinue') {
        $found += "the task $($task.TaskName)"
    }
    foreach ($rule in Get-NetFirewallRule -Name 'imagecycle-*' -ErrorAction 'SilentlyContinue') {
        $found += "the firewall rule $($rule.Name)"
    }
    if ((Get-Value -Path $policies -Name 'LocalAccountTokenFilterPolicy') -eq 1) {
        $found += 'LocalAccountTokenFilterPolicy'
    }
    , $found
}
Add-Answer -Name 'volumes' -Block {
    $partition = Get-Partition -DriveLetter 'C'
    $disk = Get-Disk -Number $partition.DiskNumber
    $all = Get-Partition -DiskNumber $disk.Number
    $last = $all | Sort-Object -Property 'Offset' | Select-Object -Last 1
    $volume = Get-Volume -DriveLetter 'C'
    @{
        disk = $disk.Size
        partition = $partition.Size
        taken = ($all | Measure-Object -Property 'Size' -Sum).Sum
        is_last = $last.Offset -eq $partition.Offset
        file_system = $volume.FileSystem
        size = $volume.Size
        free = $volume.SizeRemaining
        health = [string]$volume.HealthStatus
    }
}
Add-Answer -Name 'disks' -Block {
    $found = @()
    foreach ($one in Get-Disk) {
        $found += @{ size = $one.Size; offline = $one.IsOffline; read_only = $one.IsReadOnly }
    }
    , $found
}
Add-Answer -Name 'devices' -Block {
    $wrong = Get-CimInstance -ClassName Win32_PnPEntity -Filter 'ConfigManagerErrorCode <> 0'
    $found = @()
    foreach ($device in $wrong) {
        $found += "$($device.Name) ($($device.DeviceID)): code $($device.ConfigManagerErrorCode)"
    }
    , $found
}
Add-Answer -Name 'drivers' -Block {
    $found = @{}
    foreach ($name in 'viostor', 'vioscsi', 'netkvm', 'balloon', 'vioser', 'viorng') {
        $path = "$system\Services\$name"
        if (Test-Path -Path $path) {
            $found[$name] = Get-Value -Path $path -Name 'Start'
        }
    }
    $found
}
Add-Answer -Name 'network' -Block {
    $found = @()
    foreach ($card in Get-CimInstance -ClassName Win32_NetworkAdapterConfiguration) {
        if ($card.IPEnabled) {
            $found += @{
                mac = $card.MACAddress
                dhcp = $card.DHCPEnabled
                address = $card.IPAddress
            }
        }
    }
    , $found
}
Add-Answer -Name 'mtu' -Block {
    (Get-NetIPInterface -AddressFamily 'IPv4' -ConnectionState 'Connected' |
        Where-Object -FilterScript { $_.InterfaceAlias -notlike 'Loopback*' } |
        Select-Object -First 1).NlMtu
}
Add-Answer -Name 'activation' -Block {
    $own = "ApplicationID = '55c92734-d682-4d71-983e-d6ec3f16059f'"
    $product = Get-CimInstance -ClassName SoftwareLicensingProduct -Filter `
        "$own AND PartialProductKey IS NOT NULL" | Select-Object -First 1
    $license = Get-CimInstance -ClassName SoftwareLicensingService
    @{
        status = $product.LicenseStatus
        reason = $product.LicenseStatusReason
        grace_minutes = $product.GracePeriodRemaining
        description = $product.Description
        kms_host = [string]$license.KeyManagementServiceMachine
    }
}
Add-Answer -Name 'remote_desktop' -Block {
    $server = "$system\Control\Terminal Server"
    $wanted = @{ State = 'Listen'; LocalPort = 3389; ErrorAction = 'Ignore' }
    $listening = @(Get-NetTCPConnection @wanted)
    $general = Get-CimInstance -Namespace 'root\cimv2\TerminalServices' `
        -ClassName Win32_TSGeneralSetting | Select-Object -First 1
    @{
        denied = Get-Value -Path $server -Name 'fDenyTSConnections'
        network_level = $general.UserAuthenticationRequired
        certificate = $general.SSLCertificateSHA1Hash
        listening = $listening.Count -gt 0
    }
}
Add-Answer -Name 'winrm' -Block {
    $found = @()
    foreach ($listener in Get-ChildItem -Path 'WSMan:\localhost\Listener') {
        $found += ($listener.Keys -join ' ')
    }
    @{
        listeners = $found
        basic = (Get-Item -Path 'WSMan:\localhost\Service\Auth\Basic').Value
        unencrypted = (Get-Item -Path 'WSMan:\localhost\Service\AllowUnencrypted').Value
    }
}
Add-Answer -Name 'certificates' -Block {
    $found = @()
    foreach ($one in Get-ChildItem -Path 'Cert:\LocalMachine\My') {
        $found += @{
            subject = $one.Subject
            thumbprint = $one.Thumbprint
            from = $one.NotBefore.ToFileTimeUtc()
        }
    }
    , $found
}
Add-Answer -Name 'firewall' -Block {
    $found = @{}
    foreach ($profile in Get-NetFirewallProfile) {
        $found[$profile.Name] = [string]$profile.Enabled
    }
    $found
}
Add-Answer -Name 'clock' -Block {
    $zones = "$system\Control\TimeZoneInformation"
    @{
        now = [DateTime]::UtcNow.ToFileTimeUtc()
        zone = Get-Value -Path $zones -Name 'TimeZoneKeyName'
        universal = Get-Value -Path $zones -Name 'RealTimeIsUniversal'
        service = [string](Get-Service -Name 'W32Time').Status
        source = [string](Get-Value -Path "$system\Services\W32Time\Parameters" -Name 'Type')
    }
}
Add-Answer -Name 'services' -Block {
    $found = @{}
    foreach ($one in Get-CimInstance -ClassName Win32_Service) {
        $found[$one.Name] = "$($one.StartMode) $($one.State) $($one.ExitCode)"
    }
    $found
}
Add-Answer -Name 'triggered' -Block {
    $found = @()
    foreach ($key in Get-ChildItem -Path "$system\Services") {
        if (Test-Path -Path "$($key.PSPath)\TriggerInfo") {
            $found += $key.PSChildName
        }
    }
    , $found
}
Add-Answer -Name 'events' -Block {
    $filter = @{ LogName = 'System', 'Application'; Level = 1, 2 }
    $wanted = @{ FilterHashtable = $filter; MaxEvents = 200; ErrorAction = 'SilentlyContinue' }
    $found = @()
    foreach ($one in Get-WinEvent @wanted) {
        $first = ([string]$one.Message -split "`n")[0].Trim()
        $found += "$($one.ProviderName) $($one.Id): $first"
    }
    , $found
}
Add-Answer -Name 'restarts' -Block {
    $filter = @{ LogName = 'System'; Id = 6005 }
    @(Get-WinEvent -FilterHashtable $filter -ErrorAction 'SilentlyContinue').Count
}
Add-Answer -Name 'pending' -Block {
    $found = @()
    if (Test-Path -Path "$current\Component Based Servicing\RebootPending") {
        $found += 'servicing'
    }
    if (Test-Path -Path "$current\WindowsUpdate\Auto Update\RebootRequired") {
        $found += 'updates'
    }
    , $found
}
Add-Answer -Name 'power' -Block {
    $plans = @{ Namespace = 'root\cimv2\power'; ClassName = 'Win32_PowerPlan' }
    $plan = Get-CimInstance @plans -Filter 'IsActive = TRUE'
    @{
        plan = $plan.InstanceID
        hibernation = Get-Value -Path "$system\Control\Power" -Name 'HibernateEnabled'
    }
}
Add-Answer -Name 'page_file' -Block {
    (Get-CimInstance -ClassName Win32_ComputerSystem).AutomaticManagedPagefile
}
Add-Answer -Name 'memory' -Block {
    $entry = Get-CimInstance -ClassName Win32_OperatingSystem
    @{ total = $entry.TotalVisibleMemorySize; free = $entry.FreePhysicalMemory }
}
Add-Answer -Name 'processors' -Block { [Environment]::ProcessorCount }
Add-Answer -Name 'identity' -Block {
    $client = "$current\WindowsUpdate"
    $first = (Get-CimInstance @local)[0].SID
    @{
        sid = $first.Substring(0, $first.LastIndexOf('-'))
        guid = Get-Value -Path "$software\Cryptography" -Name 'MachineGuid'
        updates = [string](Get-Value -Path $client -Name 'SusClientId')
    }
}
Add-Answer -Name 'encryption' -Block {
    $found = @()
    $volumes = @{
        Namespace = 'root\cimv2\Security\MicrosoftVolumeEncryption'
        ClassName = 'Win32_EncryptableVolume'
        ErrorAction = 'Ignore'
    }
    foreach ($one in Get-CimInstance @volumes) {
        if ($one.ProtectionStatus -ne 0 -or $one.ConversionStatus -notin 0, $null) {
            $found += $one.DriveLetter
        }
    }
    , $found
}
Add-Answer -Name 'context' -Block {
    $log = "$env:ProgramFiles\Cloudbase Solutions\Cloudbase-Init\log\cloudbase-init.log"
    $wrong = @()
    $source = ''
    foreach ($line in Get-Content -Path $log) {
        if ($line -match ' (ERROR|CRITICAL) ') {
            $wrong += $line
        }
        if ($line -match 'Metadata service loaded: .(\w+)') {
            $source = $Matches[1]
        }
    }
    @{ errors = $wrong; source = $source }
}
Add-Answer -Name 'region' -Block {
    @{ locale = (Get-WinSystemLocale).Name; keyboard = (Get-Culture).Name }
}
Add-Answer -Name 'booted' -Block {
    (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()
}
ConvertTo-Json -InputObject $answer -Compress -Depth 5
