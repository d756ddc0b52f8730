package egress

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// nameserver answers DNS over UDP on loopback from a script.
type nameserver struct {
	conn net.PacketConn

	mu    sync.Mutex
	names map[string][][]netip.Addr // by name with its final stop: the answer to each look-up; the last one stays
	asked map[string]int            // look-ups of A by name
}

// newNameserver starts a server that does not know any name yet.
func newNameserver(t *testing.T) *nameserver {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameserver{conn: conn, names: map[string][][]netip.Addr{}, asked: map[string]int{}}
	done := make(chan struct{})
	go func() { defer close(done); s.serve() }()
	t.Cleanup(func() { conn.Close(); <-done })
	return s
}

func (s *nameserver) address() string { return s.conn.LocalAddr().String() }

// script lets each look-up of name have the next of answers.
func (s *nameserver) script(name string, answers ...[]netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[name+"."] = answers
}

func (s *nameserver) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := s.reply(buf[:n]); reply != nil {
			s.conn.WriteTo(reply, from)
		}
	}
}

const (
	typeA    = 1
	typeAAAA = 28
	nxdomain = 3
)

// reply answers one question (RFC 1035 §4): header, question, then one record
// per address, whose name points back to the question.
func (s *nameserver) reply(query []byte) []byte {
	if len(query) < 12 {
		return nil
	}
	name, end := questionName(query)
	if end+4 > len(query) {
		return nil
	}
	kind := binary.BigEndian.Uint16(query[end:])
	addrs, known := s.lookUp(name, kind)
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(len(addrs)), 0, 0, 0, 0}, query[12:end+4]...)
	if !known {
		reply[3] |= nxdomain
	}
	for _, addr := range addrs {
		reply = append(reply, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(addr.BitLen()/8))
		reply = append(reply, addr.AsSlice()...)
	}
	return reply
}

func questionName(query []byte) (name string, end int) {
	end = 12
	for end < len(query) && query[end] != 0 {
		next := end + 1 + int(query[end])
		if next >= len(query) {
			return "", len(query)
		}
		name += string(query[end+1:next]) + "."
		end = next
	}
	return name, end + 1
}

func (s *nameserver) lookUp(name string, kind uint16) (addrs []netip.Addr, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answers, known := s.names[name]
	if !known || len(answers) == 0 {
		return nil, known
	}
	n := min(s.asked[name], len(answers)-1)
	if kind == typeA {
		s.asked[name]++
	}
	for _, addr := range answers[n] {
		if kind == typeA && addr.Is4() || kind == typeAAAA && addr.Is6() {
			addrs = append(addrs, addr)
		}
	}
	return addrs, true
}

func addrs(texts ...string) []netip.Addr {
	var list []netip.Addr
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

func networks(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

var loopback = networks("127.0.0.0/8", "::1/128")
