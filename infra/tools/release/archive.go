package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// packed is a file in an archive.
type packed struct {
	name, from string
	mode       os.FileMode
}

func (r release) tar(name string, files []packed) error {
	out, err := os.Create(r.path(name))
	if err != nil {
		return err
	}
	defer out.Close()
	if err := r.writeTar(out, files); err != nil {
		return err
	}
	return out.Close()
}

// writeTar writes a compressed tar whose bytes depend on the files alone. A name
// that ends in a slash is an empty folder of the user that the image runs as.
func (r release) writeTar(w io.Writer, files []packed) error {
	compressed := gzip.NewWriter(w)
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: int64(f.mode.Perm()), ModTime: r.time, Format: tar.FormatPAX}
		var content []byte
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag, header.Uid, header.Gid = tar.TypeDir, imageUser, imageUser
		} else {
			var err error
			if content, err = os.ReadFile(f.from); err != nil {
				return err
			}
			header.Typeflag, header.Size = tar.TypeReg, int64(len(content))
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

func (r release) zip(name string, files []packed) error {
	out, err := os.Create(r.path(name))
	if err != nil {
		return err
	}
	defer out.Close()
	archive := zip.NewWriter(out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: r.time}
		header.SetMode(f.mode)
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(f.from)
		if err != nil {
			return err
		}
		if _, err := entry.Write(content); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return out.Close()
}

// checksums writes SHA256SUMS of all files, as sha256sum -c reads it.
func (r release) checksums() error {
	var lines []string
	err := filepath.WalkDir(r.out, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(r.out, path)
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(content), filepath.ToSlash(name)))
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[66:], b[66:]) })
	return os.WriteFile(r.path("SHA256SUMS"), []byte(strings.Join(lines, "")), 0o644)
}
