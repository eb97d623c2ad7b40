"""The equipment test log as pages show it: of the running record, a sheet at a time, and one test with its evidence."""
