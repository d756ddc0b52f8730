package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// imageUser is who runs in the image: nobody that a host knows.
const imageUser = 65532

// The media types of https://github.com/opencontainers/image-spec.
const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// descriptor points to a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

// manifest is one image, or with Manifests an index of several.
type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *descriptor  `json:"config,omitempty"`
	Layers        []descriptor `json:"layers,omitempty"`
	Manifests     []descriptor `json:"manifests,omitempty"`
}

// image makes an image layout on an empty file system, for both processors:
// the program, and a folder for its data. skopeo, podman and crane copy it to a
// registry.
func (r release) image() error {
	var index manifest
	for _, arch := range []string{"amd64", "arm64"} {
		one, err := r.imageFor(arch)
		if err != nil {
			return err
		}
		one.Platform = &platform{arch, "linux"}
		index.Manifests = append(index.Manifests, one)
	}
	return r.writeIndex(index)
}

// writeIndex writes the index of both, and the one that every layout has, which
// names it.
func (r release) writeIndex(index manifest) error {
	index.SchemaVersion, index.MediaType = 2, indexType
	whole, err := r.blobOf(indexType, index)
	if err != nil {
		return err
	}
	whole.Annotations = map[string]string{"org.opencontainers.image.ref.name": r.version}
	written, err := json.Marshal(manifest{SchemaVersion: 2, MediaType: indexType, Manifests: []descriptor{whole}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.path("image/index.json"), written, 0o644); err != nil {
		return err
	}
	return os.WriteFile(r.path("image/oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
}

// imageFor makes the image of one processor, and returns its manifest.
func (r release) imageFor(arch string) (none descriptor, err error) {
	dir, err := os.MkdirTemp("", "postino-release-")
	if err != nil {
		return none, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "postino")
	if err := r.build(target{"linux", arch}, "./cmd/postino", program); err != nil {
		return none, err
	}
	var layer bytes.Buffer
	if err := r.writeTar(&layer, []packed{{"postino", program, 0o755}, {"data/", "", 0o700}, {"tmp/", "", 0o700}}); err != nil {
		return none, err
	}
	content, err := r.blob(layerType, layer.Bytes())
	if err != nil {
		return none, err
	}
	config, err := r.configuration(arch, layer.Bytes())
	if err != nil {
		return none, err
	}
	return r.blobOf(manifestType, manifest{SchemaVersion: 2, MediaType: manifestType, Config: &config, Layers: []descriptor{content}})
}

// configuration says how the image runs.
func (r release) configuration(arch string, layer []byte) (none descriptor, err error) {
	opened, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		return none, err
	}
	content := sha256.New()
	if _, err := io.Copy(content, opened); err != nil {
		return none, err
	}
	return r.blobOf(configType, map[string]any{
		"created": r.time.Format(time.RFC3339), "architecture": arch, "os": "linux",
		"config": map[string]any{
			"User":         fmt.Sprintf("%d:%d", imageUser, imageUser),
			"Entrypoint":   []string{"/postino"},
			"Cmd":          []string{"serve", "-addr", "0.0.0.0:8080", "-data", "/data"},
			"ExposedPorts": map[string]any{"8080/tcp": struct{}{}},
			"Volumes":      map[string]any{"/data": struct{}{}},
			"Labels": map[string]string{
				"org.opencontainers.image.title": "Postino", "org.opencontainers.image.version": r.version, "org.opencontainers.image.licenses": "Apache-2.0",
			},
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", content.Sum(nil))}},
	})
}

func (r release) blobOf(media string, v any) (descriptor, error) {
	written, err := json.Marshal(v)
	if err != nil {
		return descriptor{}, err
	}
	return r.blob(media, written)
}

// blob keeps content under its digest.
func (r release) blob(media string, content []byte) (descriptor, error) {
	digest := fmt.Sprintf("%x", sha256.Sum256(content))
	folder := r.path("image/blobs/sha256")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return descriptor{}, err
	}
	return descriptor{MediaType: media, Digest: "sha256:" + digest, Size: len(content)}, os.WriteFile(filepath.Join(folder, digest), content, 0o644)
}
