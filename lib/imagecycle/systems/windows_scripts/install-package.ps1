# Installs a package of updates from a file, as the system; variable: path.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
if ($path -like '*.msu') {
    $words = "`"$path`"", '/quiet', '/norestart'
    $code = (Start-Process -FilePath 'wusa.exe' -ArgumentList $words -PassThru -Wait).ExitCode
} else {
    dism.exe /online /add-package "/packagepath:$path" /norestart /quiet
    $code = $LASTEXITCODE
}
# 2359302: it is there already; 2359303: it is meant for another system
if ($code -eq 2359303) {
    throw 'the package is not meant for this system'
}
if ($code -notin 0, 3010, 2359302) {
    throw "the package cannot be installed: code $code"
}
ConvertTo-Json -InputObject @{ restart = $code -eq 3010; said = "code $code" } -Compress
