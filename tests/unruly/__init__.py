"""What unruly authors write; run in processes of their own."""
