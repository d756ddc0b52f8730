package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// certificate is the server's own, in two files. When they change, new
// connections have what they hold then.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	stamps  [2]stamp
	checked time.Time
}

// stamp is by what a file shows that it has changed.
type stamp struct {
	changed time.Time
	size    int64
}

// checkEvery is how long the files are taken to be as they were.
const checkEvery = time.Second

// openCertificate reads the files; without any it returns nil.
func openCertificate(c Config) (*certificate, error) {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
		return nil, nil
	case c.TLSCert == "" || c.TLSKey == "":
		return nil, errors.New("-tls-cert and -tls-key belong together: give both files or none")
	}
	o := &certificate{certFile: c.TLSCert, keyFile: c.TLSKey, log: c.Log}
	stamps, err := o.look()
	if err != nil {
		return nil, fmt.Errorf("-tls-cert, -tls-key: %w", err)
	}
	if err := o.load(stamps); err != nil {
		return nil, fmt.Errorf("-tls-cert, -tls-key: %w", err)
	}
	return o, nil
}

// config is for connections of clients: HTTP/2 if they can, TLS 1.2 at least.
func (o *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: o.get}
}

// get returns what the files hold. While that is no certificate with its key, as
// when only one of them has been written yet, it returns what they held before.
func (o *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.checked) < checkEvery {
		return o.pair, nil
	}
	o.checked = time.Now()
	stamps, err := o.look()
	if err == nil && stamps != o.stamps {
		err = o.load(stamps)
	}
	if err != nil {
		o.log.Error("the certificate stays as it was", "cert", o.certFile, "key", o.keyFile, "error", err)
	}
	return o.pair, nil
}

// secured has connections speak TLS if the server has a certificate.
func (s *Server) secured(l net.Listener) net.Listener {
	if s.certificate == nil {
		return l
	}
	return tls.NewListener(l, s.certificate.config())
}

func (o *certificate) look() (stamps [2]stamp, err error) {
	for i, name := range []string{o.certFile, o.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return stamps, err
		}
		stamps[i] = stamp{info.ModTime(), info.Size()}
	}
	return stamps, nil
}

func (o *certificate) load(stamps [2]stamp) error {
	pair, err := tls.LoadX509KeyPair(o.certFile, o.keyFile)
	if err != nil {
		return err
	}
	o.pair, o.stamps = &pair, stamps
	return nil
}
