"""An org over the partner SOAP API.

Imported by: org/bulk, project, wiring, inspect.
"""

from sfmap.engine.org.soap.client import SoapOrg
from sfmap.engine.org.soap.org_settings import SoapSettings
from sfmap.engine.org.soap.sign_in import PasswordLogin, Secret

__all__ = ["PasswordLogin", "Secret", "SoapOrg", "SoapSettings"]
