# The same tasks from Windows: releases, locks and the front need a POSIX system, so they run inside WSL.
if (-not (Get-Command wsl -ErrorAction SilentlyContinue)) {
    Write-Error "invoke: WSL is not installed. Next: wsl --install, then run this again"
    exit 2
}
Set-Location $PSScriptRoot
wsl ./invoke @args
exit $LASTEXITCODE
