"""What we keep: tables, the one write seam, files by content, migrations."""
