"""How a PowerShell script goes to a guest: on the standard input of a PowerShell that reads it."""

from __future__ import annotations

import base64

BOOTSTRAP = """\
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
[Console]::OutputEncoding = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
$encoded = [Console]::In.ReadToEnd()
$text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($encoded))
& ([ScriptBlock]::Create($text))
"""
"""What PowerShell is started with: it reads the script from its standard input and runs it. An
error that the script does not catch ends it with status 1."""
POWERSHELL = (
    "powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand "
    + base64.b64encode(BOOTSTRAP.encode("utf-16-le")).decode()
)


def quoted(text: str) -> str:
    """A text as a literal of PowerShell. Besides ``'`` it takes typographic quotes for one."""
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
