// Package egress is the only way out: an HTTP client that posts to subscribers
// and cannot be turned against the network it runs in.
//
// A [Guard] judges the address that is actually dialled, after DNS, so a name
// that first resolves to a public address and then to 127.0.0.1 gains nothing.
// A [Transport] dials through a guard, keeps connections, and sends no request
// twice. [Class] names what went wrong.
package egress

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// Guard decides where requests may go: by https on port 443 to any public
// address, and by http or https on any port to the networks in Allow. The zero
// Guard allows no more than the former. It is safe for concurrent use and must
// not be changed once in use.
type Guard struct {
	// Allow names networks that may be reached although they are private, and
	// without https. The metadata services of clouds, OwnHosts and RuntimeAPI
	// stay refused within them.
	Allow []netip.Prefix
	// OwnHosts are the hosts of our own API, "host" for all its ports or
	// "host:port" for one. They are compared as written, with the name and with
	// the address dialled; other names of the same machine are not known here.
	OwnHosts []string
	// RuntimeAPI is AWS_LAMBDA_RUNTIME_API, "host:port": who reaches it takes
	// over the function. Empty outside Lambda.
	RuntimeAPI string
	// ResolverAddress is the DNS server to ask, "host:port"; empty for the system's.
	ResolverAddress string
	// Setting is how a refusal calls what fills Allow; empty for -egress-allow.
	Setting string
}

// Refused is the error for a destination that the guard refuses. It is found
// by errors.As in what saving, dialling and http.Client return.
type Refused struct {
	Host   string // as it was written or dialled
	Reason string // in words for whoever chose the host
}

func (r *Refused) Error() string {
	if r.Host == "" {
		return r.Reason
	}
	return r.Host + ": " + r.Reason
}

// Control judges an address that is about to be dialled for https. It is made
// for net.Dialer's field of that name.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	return g.control(network, address, true)
}

func (g *Guard) control(network, address string, secure bool) error {
	if network != "tcp4" && network != "tcp6" {
		return &Refused{address, "only TCP is dialled"}
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refused{address, "not an address and a port"}
	}
	if reason := g.judge(to, secure); reason != "" {
		return &Refused{to.Addr().String(), reason}
	}
	return nil
}

// judge returns why to is refused, or "" if it is not. What comes first holds
// even within Allow.
func (g *Guard) judge(to netip.AddrPort, secure bool) string {
	to = netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
	switch {
	case g.isOwn(to):
		return "our own API is no destination"
	case samePlace(g.RuntimeAPI, to):
		return "the Lambda Runtime API is no destination"
	case metadata[to.Addr()]:
		return "a cloud's metadata service is no destination"
	case g.allows(to.Addr()):
		return ""
	case sameHost(g.RuntimeAPI, to.Addr()):
		return "the host of the Lambda Runtime API is no destination"
	}
	if kind := special(to.Addr()); kind != "" {
		return "this is " + kind + "; to send there, name it in " + g.setting()
	}
	if !secure || to.Port() != httpsPort {
		return g.needHTTPS()
	}
	return ""
}

const httpsPort = 443

func (g *Guard) needHTTPS() string {
	return "only https on port 443 is taken here; http and other ports only to the networks named in " + g.setting()
}

func (g *Guard) setting() string {
	if g.Setting == "" {
		return "-egress-allow"
	}
	return g.Setting
}

func (g *Guard) allows(addr netip.Addr) bool {
	for _, network := range g.Allow {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

func (g *Guard) isOwn(to netip.AddrPort) bool {
	for _, own := range g.OwnHosts {
		if addr, err := netip.ParseAddr(own); err == nil && addr.Unmap() == to.Addr() || samePlace(own, to) {
			return true
		}
	}
	return false
}

// samePlace compares with "address:port". A server that listens on 0.0.0.0 or
// [::] answers on every loopback address.
func samePlace(hostPort string, to netip.AddrPort) bool {
	place, err := netip.ParseAddrPort(hostPort)
	if err != nil || place.Port() != to.Port() {
		return false
	}
	addr := place.Addr().Unmap()
	return addr == to.Addr() || addr.IsUnspecified() && (to.Addr().IsLoopback() || to.Addr().IsUnspecified())
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

// public knows the special-purpose registries of IANA.
var public = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAnyNetwork())
