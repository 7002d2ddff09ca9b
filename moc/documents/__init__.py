"""Files: uploads and evidence, attached by concrete foreign keys of others. N11."""
