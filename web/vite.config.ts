import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { mockApi } from './dev/vite-mock.ts';

// `FLUORO_API=http://127.0.0.1:7070 npm run dev` works on a real server's data; without it the mock in dev/ answers.
const api = process.env['FLUORO_API'];

export default defineConfig({
  plugins: [react(), tailwindcss(), ...(api ? [] : [mockApi()])],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: true,
  },
  ...(api ? { server: { proxy: { '/api': api } } } : {}),
});
