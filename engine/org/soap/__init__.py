"""The SOAP adapter's public names. Importing them loads zeep, so do it only when an org is needed."""

from sfmap.engine.org.soap.client import SoapOrg
from sfmap.engine.org.soap.settings import SoapSettings
from sfmap.engine.org.soap.sign_in import PasswordLogin, Secret

__all__ = ["PasswordLogin", "Secret", "SoapOrg", "SoapSettings"]
