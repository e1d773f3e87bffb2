# Says on which drive the medium of the build is.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$medium = Get-CimInstance -ClassName Win32_Volume -Filter "Label = 'IMAGECYCLE'"
if ($null -eq $medium) {
    throw 'the medium of the build is not there'
}
ConvertTo-Json -InputObject @{ drive = $medium.DriveLetter } -Compress
