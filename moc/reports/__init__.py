"""Reports: built by whoever may see the data, run in the background, scheduled and delivered; and the ready-made ones. N6."""
