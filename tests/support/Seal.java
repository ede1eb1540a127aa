import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;

/**
 * A second opinion on encrypted records, with the ciphers of the Java platform that phones use.
 *
 * java Seal.java FOLDER PUBLIC_KEY_IN_BASE64 FORM_ID VERSION INSTANCE_ID NAME... encrypts the files NAME... of FOLDER in this order
 * into NAME.enc and prints the encrypted key and the encrypted signature, one per line.
 */
public final class Seal {
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        byte[] der = Base64.getDecoder().decode(arguments[1]);
        PublicKey publicKey = KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der));
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        MessageDigest md5 = MessageDigest.getInstance("MD5");
        md5.update(arguments[4].getBytes(StandardCharsets.UTF_8));
        byte[] vector = md5.digest(key);
        String sealedKey = sealed(publicKey, key);
        String lines = arguments[2] + "\n" + arguments[3] + "\n" + sealedKey + "\n" + arguments[4] + "\n";
        for (int step = 5; step < arguments.length; step++) {
            vector[(step - 5) % 16]++;
            byte[] plain = Files.readAllBytes(folder.resolve(arguments[step]));
            Cipher cipher = Cipher.getInstance("AES/CFB/PKCS5Padding");
            cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(vector));
            Files.write(folder.resolve(arguments[step] + ".enc"), cipher.doFinal(plain));
            lines += arguments[step] + "::" + HexFormat.of().formatHex(md5.digest(plain)) + "\n";
        }
        System.out.println(sealedKey);
        System.out.println(sealed(publicKey, md5.digest(lines.getBytes(StandardCharsets.UTF_8))));
    }

    private static String sealed(PublicKey key, byte[] data) throws Exception {
        Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
        OAEPParameterSpec sha256 = new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);
        cipher.init(Cipher.ENCRYPT_MODE, key, sha256);
        return Base64.getEncoder().encodeToString(cipher.doFinal(data));
    }
}
