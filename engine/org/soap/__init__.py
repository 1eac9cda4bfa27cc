"""The SOAP adapter's public names. Importing them loads zeep, so do it only where an org is needed."""

from sfmap.engine.org.soap.client import SoapOrg
from sfmap.engine.org.soap.settings import Secret, SoapSettings

__all__ = ["Secret", "SoapOrg", "SoapSettings"]
