"""What handlers are handed, by name."""

from litestar.di import NamedDependency

from farebox.http.access import Access
from farebox.http.native.authority import Authority
from farebox.http.native.cursors import Cursors
from farebox.http.native.paging import Paging
from farebox.services import Services

TheServices = NamedDependency[Services]
TheAccess = NamedDependency[Access]
TheAuthority = NamedDependency[Authority]
TheCursors = NamedDependency[Cursors]
ThePaging = NamedDependency[Paging]
