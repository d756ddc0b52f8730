package egress

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// spellings returns addr without a zone, and every IPv4 address that it may be
// translated to on its way.
func spellings(addr netip.Addr) []netip.Addr {
	addr = addr.WithZone("").Unmap()
	if addr.Is4() {
		return []netip.Addr{addr}
	}
	list := []netip.Addr{addr}
	b := addr.As16()
	for _, form := range forms {
		if form.network.Contains(addr) && (form.marked == nil || form.marked(b)) {
			list = append(list, form.read(b))
		}
	}
	// A network may have a prefix of its own for NAT64, which we cannot know. That
	// the end of another address is that of a metadata service is no chance.
	if last := at(12)(b); metadata[last] {
		list = append(list, last)
	}
	return list
}

// forms are the ways in which IPv6 addresses hold IPv4 ones.
var forms = []struct {
	network netip.Prefix
	marked  func([16]byte) bool // further holds; nil for nothing
	read    func([16]byte) netip.Addr
}{
	{netip.MustParsePrefix("::/96"), nil, at(12)},                       // compatible
	{netip.MustParsePrefix("::ffff:0:0/96"), nil, at(12)},               // mapped
	{netip.MustParsePrefix("::ffff:0:0:0/96"), nil, at(12)},             // translated (SIIT)
	{netip.MustParsePrefix("64:ff9b::/96"), nil, at(12)},                // NAT64
	{netip.MustParsePrefix("64:ff9b:1::/48"), nil, at(12)},              // NAT64 of a network's own, by each length
	{netip.MustParsePrefix("64:ff9b:1::/48"), nil, around(6, 7, 9, 10)}, // of RFC 6052, which skips byte 8
	{netip.MustParsePrefix("64:ff9b:1::/48"), nil, around(7, 9, 10, 11)},
	{netip.MustParsePrefix("64:ff9b:1::/48"), nil, around(9, 10, 11, 12)},
	{netip.MustParsePrefix("2002::/16"), nil, at(2)},    // 6to4
	{netip.MustParsePrefix("2001::/32"), nil, at(4)},    // Teredo: the server
	{netip.MustParsePrefix("2001::/32"), nil, inverted}, // and the client
	{netip.MustParsePrefix("::/0"), isISATAP, at(12)},   // ISATAP, of any network
}

func isISATAP(b [16]byte) bool {
	return (b[8] == 0 || b[8] == 2) && slices.Equal(b[9:12], []byte{0, 0x5e, 0xfe})
}

func at(i int) func([16]byte) netip.Addr { return around(i, i+1, i+2, i+3) }

func around(i, j, k, l int) func([16]byte) netip.Addr {
	return func(b [16]byte) netip.Addr { return netip.AddrFrom4([4]byte{b[i], b[j], b[k], b[l]}) }
}

func inverted(b [16]byte) netip.Addr {
	last := binary.BigEndian.Uint32(b[12:])
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, ^last)))
}
