# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that get lost or changed where somebody was careless with quotes, lines, encodings or sizes."""

from __future__ import annotations

MARK = "NASTY-PLANTED"

TEXTS: tuple[str, ...] = (
    "", " ", "  ", "\t", "\n", "\r", "\r\n", "\n\n\n", " leading", "trailing ", "\nleading", "trailing\n", "a\nb",
    "a\r\nb",
    "a\rb", "\v\f", "'", '"', "''", '""', "'\"'", '"quoted"', "'quoted'", 'he said "no"', "it's", '"', '\\"', "\\'",
    "\\", "\\\\", "\\\\\\", "trailing\\", "a\\\nb", "\\n", "\\t\\x41\\u0041\\101", "\\$", "$", "$$", "$HOME", "${HOME}",
    "$(id)", "`id`", "${A:-b}", "$1", "%", "%%", "%n %i %h", "%d", "#", "# comment", "a # b", ";", "; comment", "a;b",
    "=", "==", "a=b", "A=B\nPATH=/tmp", "[Service]\nExecStart=/bin/false", "!", "!!", "*", "?", "[a]", "{a,b}",
    "~", "~root",
    "&", "&&", "|", "<", ">", "(", ")", "a b  c", "café", "日本語", "🙂", "e\u0301", "\u00a0", "\u200b", "\ufeffbom",
    "\u2028line", "\u0085", "\u007f", "\x01\x02\x1b[31mred", "\U0010fffd",
    "-----BEGIN KEY-----\nAA==\n-----END KEY-----\n",
    '{"json": ["\\u0041", "\\n"]}', "postgres://u:p%40ss@h:5432/db?x=1&y=$z", "x" * 4095, "x" * 4096, "y" * 100_000,
    "\"\\$`\n" * 3000, "\\" * 5001, "true", "null", "0", "-n", "--help",
)  # fmt: skip

#: Also for files: what no variable can hold.
BLOBS: tuple[bytes, ...] = (
    b"\0",
    b"\xff\xfe",
    bytes(range(256)),
    b"\n\0\n",
    b"\x80" * 70_000,
    b"\xed\xa0\x80",
)
