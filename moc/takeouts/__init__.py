"""Take-outs: everything that is an organisation's own, and only that, as one archive of files. N11."""
