# Says whether Windows is activated, as JSON.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$windows = '55c92734-d682-4d71-983e-d6ec3f16059f'
$filter = "ApplicationID = '$windows' AND PartialProductKey IS NOT NULL"
$products = Get-CimInstance -ClassName SoftwareLicensingProduct -Filter $filter
$product = $products | Select-Object -First 1
if ($null -eq $product) {
    throw 'Windows has no product key'
}
$service = Get-CimInstance -ClassName SoftwareLicensingService
$answer = @{
    status = $product.LicenseStatus
    reason = $product.LicenseStatusReason
    grace_minutes = $product.GracePeriodRemaining
    description = $product.Description
    kms_host = [string]$service.KeyManagementServiceMachine
}
ConvertTo-Json -InputObject $answer -Compress
