"""What people are told: mails in the portal's or the network's name, written with the cause, sent after commit."""
