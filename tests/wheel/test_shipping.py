"""What `make wheel` refuses: each of its checks, held to something that it must catch."""
