"""Everything that can be set, in one typed place.

Holds the profile (`laptop` or `aws`) and the addresses, names and folders that follow from it.
May import: nothing of this package.
"""

from helpers.settings.settings import Settings, SettingsError, settings

__all__ = ["Settings", "SettingsError", "settings"]
