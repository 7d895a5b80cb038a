"""What a user of the package may get wrong; type checkers find each."""

from __future__ import annotations

import flowcrm

crm = flowcrm.open("sqlite:crm.db")
me = crm.sign_in(email="ada@example.com", password="correct horse")
me.leads.create(nam="Charles")  # wrong
me.leads.create(name=5)  # wrong
me.leads.list(status="SOLD")  # wrong
lead = me.leads.get("x")
print(lead["colour"])  # wrong
text: str = lead["value"]  # wrong
me.leads.get()  # wrong
me.boats  # wrong
