"""What any Django project can plug in: storages, health, variables, upload tokens. Imports Django and no more."""
