package com.example.app

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.Base64
import com.example.signin.Vault
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

private const val PROVIDER = "AndroidKeyStore"
private const val ALIAS = "sign-in"
private const val TRANSFORMATION = "AES/GCM/NoPadding"
private const val NONCE_LENGTH = 12
private const val TAG_BITS = 128

/** Keeps values in the app's preferences, sealed under a key that cannot leave Keystore. */
class KeystoreVault(context: Context) : Vault {
    private val preferences = context.getSharedPreferences("sign-in", Context.MODE_PRIVATE)

    /** What does not open, after a reset of the device's key store, counts as not there: the user signs in again. */
    override fun read(name: String): String? {
        val sealed = preferences.getString(name, null) ?: return null
        return try {
            open(name, Base64.decode(sealed, Base64.NO_WRAP))
        } catch (_: GeneralSecurityException) {
            remove(name)
            null
        }
    }

    /** On disk when it returns: the system may end the process as soon as the browser is in front. */
    override fun write(name: String, value: String) {
        val cipher = Cipher.getInstance(TRANSFORMATION).apply { init(Cipher.ENCRYPT_MODE, findKey() ?: createKey()) }
        cipher.updateAAD(name.toByteArray())
        val sealed = cipher.iv + cipher.doFinal(value.toByteArray())
        check(preferences.edit().putString(name, Base64.encodeToString(sealed, Base64.NO_WRAP)).commit())
    }

    override fun remove(name: String) {
        preferences.edit().remove(name).commit()
    }

    private fun open(name: String, sealed: ByteArray): String {
        val key = findKey() ?: throw GeneralSecurityException("no key")
        if (sealed.size < NONCE_LENGTH) throw GeneralSecurityException("cut off")
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, sealed, 0, NONCE_LENGTH))
        cipher.updateAAD(name.toByteArray())
        return cipher.doFinal(sealed, NONCE_LENGTH, sealed.size - NONCE_LENGTH).toString(Charsets.UTF_8)
    }

    private fun findKey(): SecretKey? =
        KeyStore.getInstance(PROVIDER).apply { load(null) }.getKey(ALIAS, null) as SecretKey?

    private fun createKey(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val spec = KeyGenParameterSpec.Builder(ALIAS, purposes)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(256)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER).apply { init(spec) }.generateKey()
    }
}
