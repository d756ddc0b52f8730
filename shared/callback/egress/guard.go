// Package egress is the only HTTP client for requests to subscribers. It
// refuses addresses of the network in which it runs.
//
// A [Guard] judges the address that is actually dialled, after DNS, so a name
// that first resolves to a public address and then to 127.0.0.1 gains nothing.
// A [Transport] dials through a guard, keeps connections, and sends no request
// twice. [Class] names what went wrong.
package egress

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// Guard decides where requests may go: by https to Ports of any public address,
// and by http or https on any port to the networks in Allow. The zero Guard
// allows no more than https on port 443. It is safe for concurrent use and must
// not be changed once in use.
type Guard struct {
	// Allow names networks that may be reached although they are private, and
	// without https. The metadata services of clouds, OwnHosts and RuntimeAPI
	// stay refused within them, in every spelling of their addresses.
	Allow []netip.Prefix
	// Ports are those of public hosts that https may go to; empty for 443.
	Ports []uint16
	// OwnHosts are the hosts of our own API, "host" for all its ports or
	// "host:port" for one. They are compared as written, with the name and with
	// the address dialled. An unspecified address stands for all that the machine
	// has.
	OwnHosts []string
	// RuntimeAPI is AWS_LAMBDA_RUNTIME_API, "host:port": who reaches it takes
	// over the function. Empty outside Lambda.
	RuntimeAPI string
	// ResolverAddress is the DNS server to ask, "host:port"; empty for the system's.
	ResolverAddress string
	// Setting and PortSetting are how a refusal calls what fills Allow and
	// Ports; empty for -egress-allow and -egress-ports.
	Setting, PortSetting string
}

// Refused is the error for a destination that the guard refuses. It is found
// by errors.As in what saving, dialling and http.Client return.
type Refused struct {
	Host   string // as it was written or dialled
	Reason string // in words for whoever chose the host
	Lasts  bool   // no later try can end otherwise: it does not depend on DNS, or must never work
}

func (r *Refused) Error() string {
	if r.Host == "" {
		return r.Reason
	}
	return r.Host + ": " + r.Reason
}

// Why is Reason: it leaves out the address that a name has in our network.
func (r *Refused) Why() string { return r.Reason }

// Final is Lasts.
func (r *Refused) Final() bool { return r.Lasts }

// Control judges an address that is about to be dialled for https. It is made
// for net.Dialer's field of that name.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	return g.control(network, address, true)
}

func (g *Guard) control(network, address string, secure bool) error {
	if network != "tcp4" && network != "tcp6" {
		return &Refused{Host: address, Reason: "only TCP is dialled"}
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refused{Host: address, Reason: "not an address and a port"}
	}
	if reason := g.never(to); reason != "" {
		return &Refused{to.Addr().String(), reason, true}
	}
	if reason := g.judge(to, secure); reason != "" {
		return &Refused{to.Addr().String(), reason, false}
	}
	return nil
}

// judge returns why to is refused, or "" if it is not.
func (g *Guard) judge(to netip.AddrPort, secure bool) string {
	if reason := g.never(to); reason != "" {
		return reason
	}
	addr := to.Addr().Unmap().WithZone("")
	switch {
	case g.allows(addr):
		return ""
	case sameHost(g.RuntimeAPI, addr):
		return "the host of the Lambda Runtime API cannot be a destination"
	}
	if kind := special(addr); kind != "" {
		return "this is " + kind + "; to allow it, add it to " + g.setting()
	}
	return g.judgePort(to.Port(), secure)
}

// never returns why to is refused whatever is allowed, or "". What an IPv6
// address may be translated to is judged too.
func (g *Guard) never(to netip.AddrPort) string {
	for _, addr := range spellings(to.Addr()) {
		to := netip.AddrPortFrom(addr, to.Port())
		switch {
		case g.isOwn(to):
			return "Postino's own API cannot be a destination; to make an event of an event, use emit"
		case samePlace(g.RuntimeAPI, to):
			return "the Lambda Runtime API cannot be a destination"
		case metadata[addr]:
			return "a cloud's metadata service cannot be a destination"
		}
	}
	return ""
}

const httpsPort = 443

// judgePort judges what leads to a public address.
func (g *Guard) judgePort(port uint16, secure bool) string {
	if secure && (slices.Contains(g.Ports, port) || len(g.Ports) == 0 && port == httpsPort) {
		return ""
	}
	return "only https on port " + g.ports() + " is allowed here; to allow other ports, add them to " + cmp.Or(g.PortSetting, "-egress-ports") +
		"; to allow http, add the network to " + g.setting()
}

func (g *Guard) ports() string {
	if len(g.Ports) == 0 {
		return strconv.Itoa(httpsPort)
	}
	list := make([]string, len(g.Ports))
	for i, port := range g.Ports {
		list[i] = strconv.Itoa(int(port))
	}
	return strings.Join(list, " or ")
}

func (g *Guard) setting() string { return cmp.Or(g.Setting, "-egress-allow") }

func (g *Guard) allows(addr netip.Addr) bool {
	for _, network := range g.Allow {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// public knows the special-purpose registries of IANA.
var public = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAnyNetwork())
