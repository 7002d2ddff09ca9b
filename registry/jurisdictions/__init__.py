"""Jurisdiction, sales by year, tariffs and retail programs of utilities, all dated; EIA-861 of any year. R6."""
