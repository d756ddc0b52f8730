package egress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

func (g *Guard) isOwn(to netip.AddrPort) bool {
	for _, own := range g.OwnHosts {
		if addr, err := netip.ParseAddr(own); err == nil && addr.Unmap() == to.Addr() || samePlace(own, to) {
			return true
		}
	}
	return false
}

// samePlace compares with "address:port". To dial an unspecified address is to
// dial loopback, and a server that listens on one answers on every address of
// the machine.
func samePlace(hostPort string, to netip.AddrPort) bool {
	place, err := netip.ParseAddrPort(hostPort)
	if err != nil || place.Port() != to.Port() {
		return false
	}
	addr := place.Addr().Unmap()
	switch {
	case addr.IsUnspecified():
		return to.Addr().IsLoopback() || to.Addr().IsUnspecified() || isOurs(to.Addr())
	case to.Addr().IsUnspecified():
		return addr.IsLoopback()
	}
	return addr == to.Addr()
}

// interfaces lists the addresses of this machine, which may change.
var interfaces = net.InterfaceAddrs

func isOurs(addr netip.Addr) bool {
	list, err := interfaces()
	if err != nil {
		return true // who listens everywhere must not be reached by chance
	}
	return slices.ContainsFunc(list, func(a net.Addr) bool {
		network, err := netip.ParsePrefix(a.String())
		return err == nil && network.Addr().Unmap() == addr
	})
}

// sameHost compares with the address in "address:port".
func sameHost(hostPort string, addr netip.Addr) bool {
	place, err := netip.ParseAddrPort(hostPort)
	return err == nil && place.Addr().Unmap() == addr
}

// ownName reports whether a host name is that of our own API or of the Runtime
// API. Addresses are compared by judge.
func (g *Guard) ownName(name string, port uint16) bool {
	for i := range len(g.OwnHosts) + 1 {
		own := g.RuntimeAPI
		if i < len(g.OwnHosts) {
			own = g.OwnHosts[i]
		}
		host, ownPort, err := net.SplitHostPort(own)
		if err != nil {
			host, ownPort = own, ""
		}
		if host != "" && plainName(host) == name && (ownPort == "" || ownPort == fmt.Sprint(port)) {
			return true
		}
	}
	return false
}

// plainName is a host name in lower case without the root's full stop.
func plainName(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }
