"""Tests of the SSAS: notice, test window, activation points and the false alert card; all of it of class ``sso``."""
