"""Makes leads, as one of several processes that write to one database: ``writer.py URL EMAIL COUNT``."""

from __future__ import annotations

import sys

import flowcrm

url, email, count = sys.argv[1:]
with flowcrm.open(url) as crm:
    me = crm.as_user(email)
    for number in range(int(count)):
        me.leads.create(name=f"Lead {number} of Python")
